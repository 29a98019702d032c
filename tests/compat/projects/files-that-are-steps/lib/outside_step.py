raise RuntimeError("lib is not looked into")
