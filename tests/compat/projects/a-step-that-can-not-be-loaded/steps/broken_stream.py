raise ValueError("no stream today")
