import { CronConfig } from 'motia'

export const config: CronConfig = {
  type: 'cron',
  name: 'NightlyTs',
  cron: '*/30 * * * * *',
  emits: [],
}

export const handler = async ({ logger }: any) => {
  logger.info('tick')
}
