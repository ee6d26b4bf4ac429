"""vLLM as a child of the proxy: started, watched, restarted, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import structlog

log = structlog.get_logger("letheward.managed")

_BACK_OFF = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_STEADY = 120.0  # seconds up after which a death counts as the first again


class StartupFailed(RuntimeError):
    """vLLM did not come up."""


class ManagedVllm:
    """One vLLM on a loopback port, with a key that only the proxy knows, so that nobody walks round it."""

    def __init__(
        self, *, model: str, served_name: str, log_path: Path, extra_args: Sequence[str], startup_timeout: float
    ) -> None:
        self._model = model
        self._served_name = served_name
        self._log_path = log_path
        self._extra_args = list(extra_args)
        self._startup_timeout = startup_timeout
        self._port = _free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.api_key = secrets.token_urlsafe(32)
        self.ready = False

    @property
    def base_url(self) -> str:
        """Where it listens, without ``/v1``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The running child's process id."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self, progress: Callable[[float], None]) -> None:
        """Start it and wait until it answers; ``progress`` gets the seconds so far.

        Raises:
            StartupFailed: it died or took too long; the message ends with what it last logged.
        """
        await self._spawn()
        await self._wait_ready(progress)
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop it and what it started."""
        self.ready = False
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        process = self._process
        if process is None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            log.warning("vllm_did_not_stop", pid=process.pid)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    def _command(self) -> list[str]:
        fixed = [
            "--host",
            "127.0.0.1",
            "--port",
            str(self._port),
            "--model",
            self._model,
            "--served-model-name",
            self._served_name,
            "--enable-prompt-embeds",
        ]
        return [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *fixed, *_defaults(), *self._extra_args]

    async def _spawn(self) -> None:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        environment = _environment() | {"VLLM_API_KEY": self.api_key}  # not an argument: `ps` shows those
        output = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        finally:
            os.close(output)
        log.info("vllm_started", pid=self._process.pid, log=str(self._log_path))

    async def _wait_ready(self, progress: Callable[[float], None]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            while (waited := loop.time() - began) < self._startup_timeout:
                assert self._process is not None
                if self._process.returncode is not None:
                    raise StartupFailed(
                        f"vLLM ended with status {self._process.returncode}; the end of "
                        f"{self._log_path}:\n{_tail(self._log_path)}"
                    )
                progress(waited)
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.base_url}/health")).status_code == 200:
                        self.ready = True
                        return
                await asyncio.sleep(0.5)
        raise StartupFailed(f"vLLM did not answer within {self._startup_timeout:.0f} s; see {self._log_path}")

    async def _watch(self) -> None:
        """Restart it whenever it dies; requests get 503 until it answers again."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            assert self._process is not None
            up_since = loop.time()
            status = await self._process.wait()
            self.ready = False
            _signal_group(self._process.pid, signal.SIGKILL)  # its workers must not keep the memory
            failures = 0 if loop.time() - up_since > _STEADY else failures
            pause = _BACK_OFF[min(failures, len(_BACK_OFF) - 1)]
            failures += 1
            log.error("vllm_died", status=status, restart_in=pause, log=str(self._log_path))
            await asyncio.sleep(pause)
            try:
                await self._spawn()
                await self._wait_ready(lambda _: None)
                log.info("vllm_ready")
            except (StartupFailed, OSError) as error:
                log.error("vllm_restart_failed", error=str(error).splitlines()[0])
                if self._process.returncode is None:
                    _signal_group(self._process.pid, signal.SIGKILL)


def _defaults() -> list[str]:
    """Flags for the machine: small and eager on a CPU, vLLM's own choices on a GPU."""
    tools = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
    if has_nvidia():
        return tools
    return [*tools, "--enforce-eager", "--dtype", "bfloat16", "--max-model-len", "2048", "--max-num-seqs", "8"]


def _environment() -> dict[str, str]:
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    cpu = {} if has_nvidia() else {"VLLM_CPU_KVCACHE_SPACE": "1"}
    return quiet | cpu | dict(os.environ)


def has_nvidia() -> bool:
    """Whether the kernel shows an NVIDIA device."""
    return Path("/dev/nvidiactl").exists()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def die_with_parent() -> None:
    """In a child: end when its parent ends, however it ends (Linux's PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _tail(path: Path, lines: int = 25) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
