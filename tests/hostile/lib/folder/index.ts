export const place = 'folder index';
