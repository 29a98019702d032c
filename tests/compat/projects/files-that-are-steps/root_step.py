raise RuntimeError("the root is not looked into")
