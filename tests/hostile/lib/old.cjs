exports.old = () => 'old';
exports.here = __filename;
