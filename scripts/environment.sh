# Sourced by the scripts beside it: finds Python, makes .venv and installs the pinned dependencies when they changed.

venv="$here/.venv"

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# prepare_environment [EXTRAS]: `.venv` with the package (editable) and, when named, extras such as dev.
prepare_environment() {
  local extras="${1:-}" python stamp wanted
  if ! python=$(find_python); then
    echo "需要 Python 3.11–3.13。请先安装（Debian/Ubuntu：sudo apt-get install python3 python3-venv），或设置 PYTHON=路径" >&2
    exit 2
  fi
  stamp="$venv/.installed${extras:+-$extras}"
  wanted=$(cat "$here/pyproject.toml" "$here/constraints.txt" | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    return 0
  fi
  echo "正在准备环境（首次约需几分钟）…" >&2
  if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" || {
      rm -rf "$venv"
      echo "无法建立虚拟环境。请安装 venv（Debian/Ubuntu：sudo apt-get install python3-venv）后重试" >&2
      exit 2
    }
  fi
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -c "$here/constraints.txt" -e "$here${extras:+[$extras]}" || {
    echo "依赖安装失败。请检查网络或 pip 源后重新运行同一命令，已下载的不会重来" >&2
    exit 2
  }
  echo "$wanted" > "$stamp"
}
