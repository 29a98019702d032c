def now():
    return "noon"
