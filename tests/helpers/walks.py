"""Count through which files of the library the data of jobs go: `python tests/helpers/walks.py FILE…`.

For each job: the files in which code ran; hops, the calls from one file into another (a pair of files counts once);
returns, the hops that lead back into a file which is still waiting for a call that it made. To be run in a checkout
whose results are whole: it makes each FILE again, alone, in the order given (so name the last results first).

`python tests/helpers/walks.py --imports SCRIPT…` counts the files that scripts of `workflow/scripts` import, directly
or through others, faces of packages left out. It runs nothing, and takes any checkout.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TRACER = """
import atexit, json, os, sys, threading

def begin(folder):
    hops, local = {}, threading.local()
    def look(frame, event, _):
        name = frame.f_globals.get("__name__", "")
        if event not in ("call", "return") or not name.startswith("slipmap.") or frame.f_code.co_name == "<module>":
            return
        stack = local.__dict__.setdefault("stack", [])
        if event == "return":
            if stack:
                stack.pop()
            return
        if stack and stack[-1] != name:
            key = f"{stack[-1]} {name}"
            hops[key] = hops.get(key, False) or name in stack
        stack.append(name)
    def finish():
        sys.setprofile(None)
        script = os.path.basename(sys.argv[0]).partition(".")[2]
        with open(os.path.join(folder, f"{script}.{os.getpid()}.json"), "w") as file:
            json.dump(hops, file)
    atexit.register(finish)
    threading.setprofile(look)
    sys.setprofile(look)

if ".snakemake/scripts" in (sys.orig_argv[1] if len(sys.orig_argv) > 1 else ""):
    begin(os.environ["SLIPMAP_WALKS"])
"""


def walk(target: str) -> dict[str, bool]:
    """Hops of the job that makes `target`, "from to" by whether it is a return."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "sitecustomize.py").write_text(TRACER)
        path = os.pathsep.join(filter(None, [name, os.environ.get("PYTHONPATH")]))
        snakemake = Path(sys.executable).with_name("snakemake")
        command = [snakemake, "--cores", "1", "--resources", "gpu=1", "--quiet", "all", "--force", target]
        subprocess.run(
            [*command, "--rerun-triggers", "mtime"],
            env={**os.environ, "PYTHONPATH": path, "SLIPMAP_WALKS": name},
            check=True,
        )
        found = [json.loads(file.read_text()) for file in Path(name).glob("*.json")]
        return {hop: any(one.get(hop) for one in found) for one in found for hop in one}


def imports(scripts: list[str]) -> list[str]:
    """Modules of the library in the folder where we are that `scripts` import."""
    library = Path("workflow")
    modules = {
        ".".join(path.relative_to(library).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (library / "slipmap").rglob("*.py")
    }
    waiting, found = [library / "scripts" / f"{script}.py" for script in scripts], set()
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in modules else node.module for name in full]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            new = {name for name in names if name in modules} - found
            found |= new
            waiting += [modules[name] for name in new]
    return sorted(name for name in found if modules[name].name != "__init__.py")


def main() -> None:
    """Print the counts."""
    if sys.argv[1] == "--imports":
        print(*(found := imports(sys.argv[2:])), f"{len(found)} files", sep="\n")
        return
    found = {target: walk(target) for target in sys.argv[1:]}
    together = {hop: any(one.get(hop) for one in found.values()) for one in found.values() for hop in one}
    print("files  hops returns")
    for target, hops in {**found, "together": together}.items():
        files = {name for hop in hops for name in hop.split()}
        print(f"{len(files):5} {len(hops):5} {sum(hops.values()):7}  {target}")
    for hop in sorted(hop for hop in together if together[hop]):
        print(f"back: {hop.replace(' ', ' -> ')}")


if __name__ == "__main__":
    main()
