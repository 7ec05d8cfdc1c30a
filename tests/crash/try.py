import sys, tempfile
from pathlib import Path
from tests.crash.run import Plan, run
kills, late, seed, sab = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), (sys.argv[4] if len(sys.argv) > 4 else "")
deliver = "nodeliver" not in sys.argv
d = Path(tempfile.mkdtemp(prefix="xf-try-"))
print(d)
r = run(Plan(kills=kills, late=late, seed=seed, sabotage=sab, deliver=deliver), d)
print(r.table())
