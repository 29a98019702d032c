exports.config = {
  name: 'rules',
  schema: {},
  baseConfig: { storageType: 'default' },
  owner: 'ann',
  async canAccess({ groupId, id }, auth) {
    if (groupId === 'throws') throw new TypeError('no such group');
    if (groupId === 'never') return new Promise(() => {});
    if (groupId === 'truthy') return {};
    if (groupId === 'anonymous') return auth === null;
    return auth?.user === this.owner && id === '1';
  },
};
