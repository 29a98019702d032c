import { tick } from './bench_ticks'

export const config = { type: 'event', name: 'noop', subscribes: ['noop'], emits: [] }

export const handler = async () => {
  tick()
}
