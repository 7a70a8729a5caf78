"""The example notebook for marimo: `marimo edit examples/notebook_marimo.py`."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    import miya

    network = {
        "title": "Two layers, one example",
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [
            {"weight": [[0.4, -0.2], [0.1, 0.3]], "bias": [0, 0.1], "activation": "tanh"},
            {"weight": [[0.5, -0.6]], "bias": [0.2], "activation": "sigmoid"},
        ],
        "examples": [{"input": [1, 0.5], "target": [1]}],
    }
    return miya, mo, network


@app.cell
def _(mo):
    rate = mo.ui.slider(0.01, 1.0, step=0.01, value=0.1, label="learning rate")
    rate
    return (rate,)


@app.cell
def _(miya, network, rate):
    told = miya.explain({**network, "learning_rate": rate.value})
    told
    return (told,)


@app.cell
def _(miya, told):
    ranking = miya.blame(told.trace, measure="credit")
    ranking
    return (ranking,)


@app.cell
def _(miya, told):
    diagram = miya.draw(told)
    diagram
    return (diagram,)


@app.cell
def _(miya, network, rate):
    plot = miya.plot(miya.train({**network, "learning_rate": rate.value}, steps=60))
    plot
    return (plot,)


if __name__ == "__main__":
    app.run()
