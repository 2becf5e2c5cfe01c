#!/usr/bin/env bash
# Everything of training that needs a GPU, in one command: our step against the original's in 32 bits (TF32 matrix
# products) and in bf16, as it is, compiled and as CUDA graphs, then both full-size GANs for so many minutes each on
# PTB-XL's normal ECGs, and how what they draw compares with held-out ECGs beside the published generator. Run again
# after a stop, it resumes: what was timed or drawn is kept, and no GAN is trained beyond its minutes.
#
# git clone https://github.com/vlbthambawita/Pulse2Pulse
# benchmarks/on_gpu.sh Pulse2Pulse PTBXL OUT [minutes a GAN, 10] [options for train.py]
set -euo pipefail
original=$1 ptbxl=$2 out=$3 minutes=${4:-10}
shift $(($# < 4 ? $# : 4))
longest=$(printf '00:%02d:%02d:00' $((minutes / 60)) $((minutes % 60)))
cd "$(dirname "$0")/.."
mkdir -p "$out"
for precision in 32-true bf16-mixed; do
    for options in "--batch-size 32" "--batch-size 128" "--batch-size 32 --compile default" \
        "--batch-size 32 --compile reduce-overhead"; do
        timed="$out/train_step_$precision${options// /_}.txt"
        [ -e "$timed" ] && continue
        # shellcheck disable=SC2086  # several words
        python benchmarks/train_step.py "$original" $options --steps 20 --precision $precision | tee "$timed.part"
        mv "$timed.part" "$timed"
    done
done
for name in pulse2pulse wavegan_star; do
    python train.py experiment=$name data.root="$ptbxl" out="$out/$name" resume=auto logger=csv \
        trainer.precision=bf16-mixed +trainer.max_time="$longest" "$@"
    python generate.py run="$out/$name" num_records=1000 out="$out/ecgs/$name"
    [ -e "$out/curve_$name" ] ||
        python evaluate.py job=checkpoints data=ptbxl data.root="$ptbxl" data.split=validation run="$out/$name" \
            out="$out/curve_$name"
done
[ -e "$out/report" ] || python evaluate.py data=ptbxl data.root="$ptbxl" "data.split=[validation,test]" baseline=deepfake \
    generated="[$out/ecgs/pulse2pulse,$out/ecgs/wavegan_star]" out="$out/report"
