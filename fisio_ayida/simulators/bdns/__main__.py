"""`python -m fisio_ayida.simulators.bdns`: the same command as `fisio-ayida simulate bdns`."""

from fisio_ayida.simulators.cli import run_bdns

if __name__ == "__main__":
    run_bdns()
