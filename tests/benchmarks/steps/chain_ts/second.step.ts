import { done } from './bench_ticks'

export const config = { type: 'event', name: 'second', subscribes: ['second'], emits: [] }

export const handler = async (data: any) => {
  done(data.id)
}
