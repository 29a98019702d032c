import only from 'esm-only';
import both, { named } from 'old-package';
import deep from 'old-package/deep';
export const config = { type: 'event', name: 'packages', subscribes: ['x'], emits: [] };
export const handler = () => ({ only, both: both.named, named, deep });
