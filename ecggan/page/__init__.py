"""The page: draw, look at, measure and compare ECGs in a browser, on one's own machine.

`python -m ecggan.page checkpoint=published` starts it. In: generators, ECG sets, finished reports; from the browser,
seeds, numbers and files. Out: an HTML page, and the data that it shows as JSON. Imports every room below `jobs`; it
calls the functions that the commands call. Nothing that a request names is opened as a path.

Begin with `app`: the routes, each in a module of its name (`ecg`, `comparing`, `own_file`, `quiz`, `downloads`). The
server answers and waits; all that computes runs in processes of `work`, in functions of `in_process/`. `access` says
who may ask. The page itself is `static/`: plain HTML, CSS and JavaScript, without a build step.
"""
