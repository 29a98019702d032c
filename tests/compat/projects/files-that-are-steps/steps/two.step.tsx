export const config = 'this is how the Workbench draws the Step'
