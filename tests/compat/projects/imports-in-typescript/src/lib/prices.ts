import { base } from './base'

export const priceOf = (sku: string): number => base + sku.length
