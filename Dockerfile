# The app for others. Written without a Docker at hand: its steps were done by hand, see SECURITY.md.
#   docker build -t hiercodec . && docker run --rm -p 8501:8501 --memory 3g --read-only --tmpfs /tmp hiercodec
FROM python:3.11-slim

RUN useradd --create-home --uid 10001 visitor
WORKDIR /srv/hiercodec
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY app.py ./
COPY .streamlit .streamlit
COPY pages pages
COPY assets assets
COPY hiercodec hiercodec
RUN python -m compileall -q hiercodec

USER visitor
ENV PYTHONDONTWRITEBYTECODE=1
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.headless=true"]
