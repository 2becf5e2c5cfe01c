"""How right the measurements and the normality screen are: see [ecggan.evaluation.validation.validate_ludb][]."""

import sys

from ecggan.evaluation.validation.validate_ludb import main

if __name__ == "__main__":
    main(sys.argv[1:])
