enum Color { Red = 'red', Blue = 'blue' }
const enum Size { Small = 1, Large }
class Point {
  constructor(private readonly x: number, public y = 2) {}
  get sum() { return this.x + this.y; }
}
declare namespace Ambient { const nothing: string }
const value = <T,>(v: T) => v satisfies T;
export const config = { type: 'event', name: 'syntax', subscribes: ['x'], emits: [] } as const;
export const handler = () => ({ color: Color.Blue, size: Size.Large, sum: new Point(1).sum, v: value(3)! });
