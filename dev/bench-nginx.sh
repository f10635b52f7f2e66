# shellcheck shell=bash
# Sourced by bench: one worker of nginx on two ports of the loopback, which answers everything from memory.

# nginx_start DIR CORE: sets url, tls_url and server.
nginx_start() {
	local dir=$1 port=${BENCH_PORT:-18480}
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
	cat >"$dir/nginx.conf" <<-CONF
		worker_processes 1;
		worker_rlimit_nofile 32768;
		daemon off;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 30000; multi_accept on; }
		http {
			access_log off;
			keepalive_requests 1000000000;
			keepalive_timeout 600s;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			default_type text/plain;
			server {
				listen 127.0.0.1:$port reuseport backlog=20000;
				listen 127.0.0.1:$((port + 1)) ssl reuseport;
				ssl_certificate $dir/cert.pem;
				ssl_certificate_key $dir/key.pem;
				location / { return 200 "Hello, world!"; }
			}
		}
	CONF
	taskset --cpu-list "$2" nginx -c "$dir/nginx.conf" -p "$dir" 2>"$dir/nginx.err" &
	# shellcheck disable=SC2034 # for bench
	server=$!
	url=http://127.0.0.1:$port tls_url=https://127.0.0.1:$((port + 1))
	for _ in $(seq 50); do
		! curl -sfo "$dir/answer" "$url" || return 0
		sleep 0.1
	done
	fail "nginx does not answer: $(cat "$dir/nginx.err" "$dir/error.log" 2>/dev/null | tail -n 3)"
}
