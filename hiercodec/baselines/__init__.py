"""What hiercodec is compared with."""
