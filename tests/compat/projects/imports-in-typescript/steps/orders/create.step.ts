import fs from 'node:fs'
import path from 'path'
import { priceOf } from '../../src/lib/prices'
import { label } from '@lib/label'
import { Kind } from '../../src/lib/kinds.js'
import rates from '../../src/lib/rates.json'

export const config = { type: 'api', name: 'CreateTs', path: '/ts/:sku', method: 'POST', emits: [] }

export const handler = async (req: { pathParams: { sku: string } }) => ({
  status: 200,
  body: {
    price: priceOf(req.pathParams.sku),
    label: label('lamp'),
    kind: Kind.Light,
    rate: rates.eur,
    file: path.basename(__filename),
    exists: fs.existsSync(__dirname),
  },
})
