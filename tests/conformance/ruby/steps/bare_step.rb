config = { type: 'noop', name: 'bare' }
