"""Work for strangers, done beside the server: a few child processes with limits, and a fair queue before them.

    pool.submit(task, …) ─► Ticket ── waits its turn ──► Worker ─► a process of its own: task(…, tell=…)
         ticket.result(…) ◄──────── what it tells, its value or its error ◄──────────┘

No Streamlit here. `tasks` is what the app has done for it; everything it imports is imported in the child only.
"""

from __future__ import annotations

from hiercodec.workers.pool import Pool, Settings, settings, shared
from hiercodec.workers.ticket import Place, Urgency
