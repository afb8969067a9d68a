"""Runs a command while the files of a folder are served, ranges of bytes too: serve_ranges.py FOLDER COMMAND.

ADDRESS in the command stands for the server's address. Ends as the command does."""
import http.server
import re
import subprocess
import sys
import threading
from pathlib import Path

folder, command = Path(sys.argv[1]), sys.argv[2]


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, has_body):
        path = folder / self.path.lstrip("/")
        data = path.read_bytes() if path.is_file() else b""
        wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        self.send_response(404 if not path.is_file() else 206 if wanted else 200)
        if wanted and data:
            first, last = int(wanted[1]), min(int(wanted[2] or len(data) - 1), len(data) - 1)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            data = data[first:last + 1]
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if has_body:
            self.wfile.write(data)

    def do_GET(self):
        self.answer(True)

    def do_HEAD(self):
        self.answer(False)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.exit(subprocess.run(command.replace("ADDRESS", f"http://127.0.0.1:{server.server_port}"), shell=True).returncode)
