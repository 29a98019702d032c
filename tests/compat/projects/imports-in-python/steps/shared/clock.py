def now():
    return "12:00"
