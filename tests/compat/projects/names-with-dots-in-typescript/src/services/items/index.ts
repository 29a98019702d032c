export * from './item.service'
