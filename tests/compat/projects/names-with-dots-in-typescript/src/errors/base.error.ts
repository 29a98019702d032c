export abstract class BaseError extends Error {
  constructor(
    message: string,
    public readonly status: number,
    public readonly code: string,
  ) {
    super(message)
    this.name = this.constructor.name
  }

  toJSON() {
    return { error: this.message, code: this.code }
  }
}
