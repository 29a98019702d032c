export function label<T extends string>(text: T): string {
  return `<${text}>`
}
