#!/usr/bin/env bash
# Everything of training that needs a GPU, in one command: our step against the original's in 32 bits (TF32 matrix
# products) and in bf16, then both full-size GANs for so many minutes each on PTB-XL's normal ECGs, and how what they draw
# compares with held-out ECGs beside the published generator.
#
# git clone https://github.com/vlbthambawita/Pulse2Pulse
# benchmarks/on_gpu.sh Pulse2Pulse PTBXL OUT [minutes a GAN, 10] [options for train.py]
set -euo pipefail
original=$1 ptbxl=$2 out=$3 minutes=${4:-10}
shift $(($# < 4 ? $# : 4))
cd "$(dirname "$0")/.."
mkdir -p "$out"
for precision in 32-true bf16-mixed; do
    for batch_size in 32 128; do
        python benchmarks/train_step.py "$original" --batch-size $batch_size --steps 20 --rounds 3 --precision $precision
    done
done | tee "$out/train_step.txt"
for name in pulse2pulse wavegan_star; do
    python train.py experiment=$name data.root="$ptbxl" out="$out/$name" resume=auto logger=csv \
        trainer.precision=bf16-mixed +trainer.max_time="00:00:$minutes:00" "$@"
    python generate.py run="$out/$name" num_records=1000 out="$out/ecgs/$name"
    python evaluate.py data=ptbxl data.root="$ptbxl" data.split=validation run="$out/$name" out="$out/curve_$name"
done
python evaluate.py data=ptbxl data.root="$ptbxl" "data.split=[validation,test]" baseline=deepfake \
    generated="[$out/ecgs/pulse2pulse,$out/ecgs/wavegan_star]" out="$out/report"
