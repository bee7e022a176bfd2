# SPDX-License-Identifier: GPL-2.0-or-later
"""nginx with TLS in front of a server, and a CA that is not trusted elsewhere."""
import socket
import subprocess
import time

from ceph import free_ports

CONF = """
worker_processes 1;
daemon off;
error_log {dir}/error.log;
pid {dir}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log {dir}/access.log;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {dir}/server.pem;
        ssl_certificate_key {dir}/server.key;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_http_version 1.1;
            proxy_request_buffering off;
            # The signature is of the host's name, and of the path as it came.
            proxy_set_header Host $http_host;
        }}
    }}
    server {{
        listen 127.0.0.1:{plain};
        location / {{ return 308 https://localhost:{port}$request_uri; }}
    }}
}}
"""


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class Tls:
    def __init__(self, directory, behind, name="localhost"):
        """NAME: the host that the certificate is for."""
        self.dir = directory
        self.port, self.plain = free_ports(2)
        self.ca = directory / "ca.pem"
        self.endpoint = f"https://localhost:{self.port}"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=iotrc test CA",
                "-keyout", str(directory / "ca.key"), "-out", str(self.ca))
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                "-keyout", str(directory / "server.key"), "-out", str(directory / "server.csr"))
        (directory / "ext").write_text(f"subjectAltName=DNS:{name}\n")
        openssl("x509", "-req", "-in", str(directory / "server.csr"), "-days", "2", "-CA", str(self.ca),
                "-CAkey", str(directory / "ca.key"), "-CAcreateserial", "-extfile", str(directory / "ext"),
                "-out", str(directory / "server.pem"))
        (directory / "nginx.conf").write_text(CONF.format(dir=directory, port=self.port, plain=self.plain,
                                                          behind=behind))
        self.process = subprocess.Popen(["nginx", "-p", directory, "-c", directory / "nginx.conf"],
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, \
                    (directory / "error.log").read_text()
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait()
