// What bench_ticks.py does, for Steps of Node: a slot of a file, and lines.
import fs from 'node:fs'

const SLOT = 32
const SLOTS = 128

let ticks = -1
let lines = -1
let count = 0
let offset = 0
const slot = new DataView(new ArrayBuffer(24))

function now(): number {
  return (performance.timeOrigin + performance.now()) / 1000
}

function open(): void {
  const path = process.env.BENCH_TICKS!
  for (let number = 0; number < SLOTS; number++) {
    try {
      fs.closeSync(fs.openSync(`${path}.${number}`, 'wx'))
    } catch {
      continue
    }
    offset = number * SLOT
    break
  }
  ticks = fs.openSync(path, 'r+')
  slot.setFloat64(8, now(), true)
}

export function tick(): void {
  if (ticks < 0) open()
  count += 1
  slot.setBigInt64(0, BigInt(count), true)
  slot.setFloat64(16, now(), true)
  fs.writeSync(ticks, slot, 0, 24, offset)
}

export function done(name: string): void {
  if (lines < 0) lines = fs.openSync(process.env.BENCH_LINES!, 'a')
  fs.writeSync(lines, `${name} ${now().toFixed(6)}\n`)
}
