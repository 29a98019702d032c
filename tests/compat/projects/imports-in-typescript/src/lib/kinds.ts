export enum Kind {
  Light = 'light',
}
