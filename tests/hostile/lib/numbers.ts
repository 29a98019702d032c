export declare const nothing: number;
export enum Bits {
  One = 1 << 0,
  Two = 1 << 1,
  Both = One | Two,
}
