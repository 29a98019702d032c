"""All workloads, in the order in which they are run."""

from tests.benchmarks.growth.sizes import GROWTH
from tests.benchmarks.workloads.chain import CHAIN
from tests.benchmarks.workloads.drain import DRAIN, DRAIN_TWO
from tests.benchmarks.workloads.emit import EMIT
from tests.benchmarks.workloads.endurance import ENDURANCE
from tests.benchmarks.workloads.fanout import FANOUT
from tests.benchmarks.workloads.latency import LATENCY
from tests.benchmarks.workloads.memory import MEMORY_WEB, MEMORY_WORKER
from tests.benchmarks.workloads.node import CHAIN_NODE, DRAIN_NODE
from tests.benchmarks.workloads.route import ROUTE
from tests.benchmarks.workloads.start import START
from tests.benchmarks.workloads.state import STATE
from tests.benchmarks.workloads.waiting import WAITING

WORKLOADS = (
    DRAIN,
    DRAIN_TWO,
    EMIT,
    CHAIN,
    ROUTE,
    WAITING,
    DRAIN_NODE,
    CHAIN_NODE,
    LATENCY,
    FANOUT,
    STATE,
    START,
    MEMORY_WEB,
    MEMORY_WORKER,
    ENDURANCE,
    *GROWTH,
)
