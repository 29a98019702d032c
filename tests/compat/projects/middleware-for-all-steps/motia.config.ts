import { config } from 'motia'

export default config({
  app: (app) => {
    app.use((req: any, res: any, next: any) => {
      res.setHeader('X-Express', 'yes')
      next()
    })
  },
})
