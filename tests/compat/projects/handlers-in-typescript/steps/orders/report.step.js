const config = { type: 'cron', name: 'Report', cron: '0 8 * * *', emits: ['report.sent'] }

const handler = async ({ emit, logger, streams }) => {
  const lines = []
  logger.addListener((level, msg) => lines.push([level, msg]))
  logger.info('Reporting')
  await streams.reports.set('daily', 'r1', { lines })
  await streams['reports'].set('daily', 'r2', { lines: [] })
  await emit({ topic: 'report.sent', data: { lines } })
}

module.exports = { config, handler }
