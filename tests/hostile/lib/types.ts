throw new Error('a file of types alone is never executed');
export interface Nothing { nothing: true }
