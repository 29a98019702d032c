VALUE = "imported by the handler"
