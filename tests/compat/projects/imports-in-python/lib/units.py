UNIT = "h"
