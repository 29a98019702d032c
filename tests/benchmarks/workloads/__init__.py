"""All workloads, in the order in which they are run."""

from tests.benchmarks.workloads.chain import CHAIN
from tests.benchmarks.workloads.drain import DRAIN, DRAIN_TWO
from tests.benchmarks.workloads.emit import EMIT
from tests.benchmarks.workloads.route import ROUTE

WORKLOADS = (DRAIN, DRAIN_TWO, EMIT, CHAIN, ROUTE)
