"""What every page stands in: heading and footer, cached calls, what is kept between runs."""
