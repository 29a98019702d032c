config = { type: 'event', name: 'broken', subscribes: ['x'] }

raise 'broken on purpose'
