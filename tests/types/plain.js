// @ts-check
/** @type {import('motia').ApiRouteConfig} */
export const config = { type: 'api', name: 'plain', method: 'GET', path: '/plain', emits: [] };

/** @type {import('motia').Handlers['charge']} */
export const handler = async (input, { logger }) => {
  logger.info(input.item);
  // @ts-expect-error no such field
  logger.info(input.itme);
};
