import type { ApiRouteConfig } from 'motia'

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'Download',
  path: '/download',
  method: 'GET',
  emits: [],
}

export const handler = async () => ({
  status: 200,
  headers: { 'Content-Type': 'application/pdf', 'Set-Cookie': ['a=1', 'b=2'] },
  body: Buffer.from([0x25, 0x50, 0x44, 0x46, 0x00, 0xff]),
})
