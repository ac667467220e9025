"""A real InfluxDB on loopback: Debian's influxd 1.6, with logins, behind nginx which gives it what 1.8 and 2 have.

That is the write endpoint, its precisions, opaque tokens and ``/health``.
"""

# ruff: noqa: S310
import base64
import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

_INFLUXD = """
reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{dir}/meta"
[data]
  dir = "{dir}/data"
  wal-dir = "{dir}/wal"
  index-version = "tsi1"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  auth-enabled = true
  log-enabled = false
"""
_NGINX = """
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log warn; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 25m; client_body_buffer_size 25m; proxy_buffering off;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
  scgi_temp_path {dir}/s;
  map $arg_precision $old {{ default "!"; "" n; ns n; us u; ms ms; s s; }}
  map $http_authorization $login {{ default $http_authorization; "~^Token " ""; "Token {token}" "Basic {login}"; }}
  proxy_set_header Authorization $login;
  server {{
    listen 127.0.0.1:{front};
    location = /api/v2/write {{
      if ($old = "!") {{ return 400; }}
      proxy_pass http://127.0.0.1:{http}/write?db=$arg_bucket&precision=$old;
    }}
    location = /health {{
      auth_request /_ping;
      default_type application/json;
      echo '{{"name":"influxdb","status":"pass"}}';
      error_page 500 502 503 504 = @down;
    }}
    location = /_ping {{ internal; proxy_pass http://127.0.0.1:{http}/ping; }}
    location @down {{ default_type application/json; return 503 '{{"name":"influxdb","status":"fail"}}'; }}
    location / {{ proxy_pass http://127.0.0.1:{http}; }}
  }}
}}
"""

TOKEN = "an-opaque-token=="  # noqa: S105
_LOGIN = base64.b64encode(b"admin:secret").decode()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class InfluxRig:
    """Started and stopped by its own processes' handles; keeps its data over a kill."""

    def __init__(self, folder: Path) -> None:
        http, rpc, front = _free_ports(3)
        self.url = f"http://127.0.0.1:{front}"
        self._direct = f"http://127.0.0.1:{http}"
        self._folder = folder
        (folder / "influxdb.conf").write_text(_INFLUXD.format(dir=folder, rpc=rpc, http=http))
        settings = _NGINX.format(dir=folder, front=front, http=http, token=TOKEN, login=_LOGIN)
        (folder / "nginx.conf").write_text(settings)
        self.token_file = str(folder / "token")
        Path(self.token_file).write_text(f"{TOKEN}\n")
        self._nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
        self.start()
        self.query("", "CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES")
        for name in ("mes", "mes_kpi", "mes_raw"):
            self.query("", f'CREATE DATABASE "{name}"')

    def start(self) -> None:
        """Start influxd and wait until it answers."""
        log = (self._folder / "influxd.log").open("ab")
        with log:
            self._influxd = subprocess.Popen(
                ["influxd", "run", "-config", str(self._folder / "influxdb.conf")], stdout=log, stderr=log
            )
        while self._influxd.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self._direct}/ping", timeout=1):
                return
            time.sleep(0.05)
        msg = "influxd ended"
        raise RuntimeError(msg)

    def health(self) -> str:
        """What the health endpoint says: ``pass`` or ``fail``."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return str(json.load(answer)["status"])
        except urllib.error.HTTPError as error:
            with error:
                return str(json.load(error)["status"])

    def kill(self) -> None:
        """Kill influxd as a power cut would."""
        self._influxd.kill()
        self._influxd.wait()

    def stop(self) -> None:
        """End both programs."""
        self.kill()
        self._nginx.terminate()
        self._nginx.wait()

    def query(self, database: str, influxql: str) -> list[dict[str, Any]]:
        """Rows of an InfluxQL query: tags and columns by name."""
        body = urllib.parse.urlencode({"db": database, "q": influxql, "epoch": "ns"}).encode()
        request = urllib.request.Request(f"{self._direct}/query", body, {"Authorization": f"Basic {_LOGIN}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)["results"][0]
        assert "error" not in result, result["error"]
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], values, strict=True))}
            for series in result.get("series", [])
            for values in series["values"]
        ]
