"""What starting a command costs: processor seconds and peak memory of each, that of another checkout beside it.

python scripts/benchmarks/import_cost.py [--before CHECKOUT] [--repeat 5] [-o Resources/Evaluation/import_cost.json]

The map is that of the bundled scan; each checkout embeds its own. Commands of both take turns, so that what else the
computer does meets both. Of the processor the least of all runs counts, since other programs only add to it; of memory
the most. Does not run on Windows.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from anatembed.output_file import write_text
from anatembed.shipped_file import shipped_file

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "Resources" / "Evaluation" / "import_cost.json"
COMMANDS = {
    "--help": ["--help"],
    "resolve": ["resolve", "left kidney"],
    "terms": ["terms"],
    "info": ["info", "MAP"],
    "describe on a map": ["describe", "MAP", "--ras", "94", "61", "-16"],
    "locate on a map": ["locate", "MAP", "liver"],
}


def run(checkout: Path, arguments: list[str], **variables: str) -> tuple[float, float]:
    """Processor seconds (user and system) and peak memory in MB of a command; RuntimeError if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "AnatomicalEmbedding"), **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else every run would compile all that it imports
    command = [sys.executable, "-m", "anatembed", *arguments]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        # wait4 gives the use of this child alone; resource.getrusage would add up all children.
        _, status, use = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}: {errors.read().decode()}")
    kilobyte = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes
    return use.ru_utime + use.ru_stime, use.ru_maxrss * kilobyte / 1e6


def measure(checkouts: dict[str, Path], maps: dict[str, Path], repeat: int) -> list[dict]:
    """A row a command: its name and, for each checkout by its column, {"cpu_seconds", "peak_mb"}."""
    rows = []
    for name, words in COMMANDS.items():
        runs: dict[str, list] = {column: [] for column in checkouts}
        for _ in range(repeat):
            for column, checkout in checkouts.items():
                arguments = [str(maps[column]) if word == "MAP" else word for word in words]
                runs[column].append(run(checkout, arguments))
        rows.append({"command": name, **{column: _summary(found) for column, found in runs.items()}})
    return rows


def _summary(runs: list[tuple[float, float]]) -> dict[str, float]:
    seconds, megabytes = zip(*runs, strict=True)
    return {"cpu_seconds": round(min(seconds), 2), "peak_mb": round(max(megabytes), 1)}


def table(rows: list[dict]) -> list[str]:
    """The rows for people."""
    columns = [name for name in rows[0] if name != "command"]
    lines = [f"{'command':18}" + "".join(f"{name + ': CPU s':>16}{'peak MB':>9}" for name in columns)]
    for row in rows:
        numbers = (f"{row[name]['cpu_seconds']:16.2f}{row[name]['peak_mb']:9.0f}" for name in columns)
        lines.append(f"{row['command']:18}" + "".join(numbers))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another checkout, measured beside this one")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each command (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    checkouts = {"before": options.before.resolve()} if options.before else {}
    checkouts["after"] = ROOT
    with tempfile.TemporaryDirectory() as folder:
        maps = {column: Path(folder) / f"{column}.npz" for column in checkouts}
        for column, checkout in checkouts.items():  # the first run writes compiled files
            scan = str(shipped_file("cort_trunk_ct.nii.gz"))
            run(checkout, ["embed", scan, "-o", str(maps[column])], ANATEMBED_CACHE=str(Path(folder) / "cache"))
            run(checkout, ["locate", str(maps[column]), "liver"])
            run(checkout, ["terms"])
        rows = measure(checkouts, maps, options.repeat)
    print("\n".join(table(rows)))
    machine = {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}
    write_text(options.output, json.dumps({"runs": options.repeat, **machine, "commands": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
