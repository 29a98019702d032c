import { place } from '../lib/folder';
import { shout, folder } from '../lib/util';
import { compiled } from '../lib/compiled.js';
import exact from '~exact';
import { shout as aliased } from '@lib/util';
import { place as based } from 'lib/folder';
import data from '../lib/data.json';
import type { EventConfig } from 'motia';
import { Handlers, type FlowContext } from 'motia';

export const config: EventConfig = { type: 'event', name: 'imports', subscribes: ['x'], emits: [] };
export const handler: Handlers['imports'] = async (_: unknown, ctx: FlowContext) => ({
  place, compiled, exact, based, value: data.value, folder, shout: aliased('a'), same: aliased === shout, trace: ctx.traceId,
});
