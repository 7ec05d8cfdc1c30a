"""Raw grouped commits: what SQLite or PostgreSQL themselves can do with rows of a petition's size.

python -m benchmarks.commits URL SECONDS ROWS   ROWS a commit; prints one line of JSON
"""

from __future__ import annotations

import json
import os
import sys
import time

from sqlalchemy import text

from store.database import writing_engine


def main(url: str, seconds: float, rows: int) -> dict[str, float]:
    """Insert rows of 5 KB in commits of `rows`, with the pragmas of the house."""
    engine = writing_engine(url)
    payload = os.urandom(5000)
    with engine.connect() as connection:
        with connection.begin():
            blob = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
            connection.execute(text(f"CREATE TABLE raw (id BIGINT PRIMARY KEY, body {blob})"))
        insert = text("INSERT INTO raw (id, body) VALUES (:id, :body)")
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            with connection.begin():
                connection.execute(insert, [{"id": done + place, "body": payload} for place in range(rows)])
            done += rows
        took = time.perf_counter() - started
    engine.dispose()
    return {"rate": done / took}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))
