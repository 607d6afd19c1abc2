"""Tasks whose answer is one of some words, at one level or several: classification, and CLIP zero-shot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.classify import level_probabilities, load_classifier
from hiercodec.errors import InputError, first_line
from hiercodec.fsio import read_bytes
from hiercodec.levels import spoken
from hiercodec.tasks import own_words
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.embeddings import TEMPLATE, open_clip_net

MOST = 5
"""Words of an answer that people are shown at each level."""

Answer = Mapping[str, np.ndarray]
"""Level → the probability of each of its words."""


class Choices:
    """A task whose answer gives each of some words a probability, at every level.

    The score is the share of levels at which the likeliest word is that of the reference.
    """

    def __init__(
        self,
        title: str,
        options: Mapping[str, Sequence[str]],
        ask: Callable[[Sequence[np.ndarray]], Mapping[str, np.ndarray]],
        provenance: dict[str, Any],
    ) -> None:
        self.title, self.provenance, self._ask = title, provenance, ask
        self.options: dict[str, tuple[str, ...]] = {level: tuple(words) for level, words in options.items()}

    def answers(self, pictures: Sequence[np.ndarray]) -> list[Answer]:
        """See `Task`."""
        by_level = self._ask(pictures)
        return [{level: masses[i] for level, masses in by_level.items()} for i in range(len(pictures))]

    def score(self, answer: Answer, reference: Answer) -> float:
        """See `Task`."""
        return float(np.mean([answer[level].argmax() == reference[level].argmax() for level in reference]))

    def words(self, answer: Answer) -> list[tuple[str, float]]:
        """See `Task`: the likeliest at each level, whose name stands before them where there are several."""
        return [
            (
                f"{spoken(level)}: {self.options[level][i]}" if len(answer) > 1 else self.options[level][i],
                float(masses[i]),
            )
            for level, masses in answer.items()
            for i in np.argsort(-masses, kind="stable")[:MOST].tolist()
        ]


def classification(spec: str, hierarchy: Hierarchy, words: Sequence[str] = ()) -> Choices:
    """A classifier asked at every level of a hierarchy of its classes."""
    classifier = load_classifier(spec)

    def probabilities(pictures: Sequence[np.ndarray]) -> Mapping[str, np.ndarray]:
        return level_probabilities(classifier.probabilities(pictures), hierarchy)

    options = {level.name: level.labels for level in hierarchy.levels}
    title = "the share of levels with the answer of the original"
    return Choices(title, options, probabilities, {"weights": classifier.sha256, "hierarchy": hierarchy.digest})


def zero_shot(rest: str, hierarchy: Hierarchy, words: Sequence[str] = ()) -> Choices:
    """CLIP by open_clip (Radford et al., arXiv 2103.00020), MODEL/TAG or MODEL@FILE.safetensors, with words as prompts.

    The words are those given, those of the file behind `?words=`, or the hierarchy's. Each level is a question of its own:
    softmax of the model's scaled similarities of the picture and "a photo of a WORD".
    """
    import torch
    from PIL import Image

    from hiercodec.classify.loading import read_weights
    from hiercodec.device import resolve

    rest, _, file = rest.partition("?words=")
    if file and not words:
        words = own_words(read_bytes(file).decode("utf-8", "replace"))
    options = {"word": words} if words else {level.name: level.labels for level in hierarchy.levels}
    named, _, path = rest.partition("@")
    model, _, tag = named.partition("/")
    if any(len(words) < 2 for words in options.values()):
        raise InputError("CLIP chooses between two words or more")
    net, tokenizer = open_clip_net(model, None if path else tag)
    from open_clip.transform import PreprocessCfg, image_transform_v2

    if path:
        try:
            tensors, tag = read_weights(Path(path))
            net.load_state_dict(tensors)
        except RuntimeError as error:
            raise InputError(f"{path} does not fit {model}: {first_line(error)}") from None
    net.to(place := resolve())
    preprocess: Any = image_transform_v2(PreprocessCfg(**net.visual.preprocess_cfg), is_train=False)

    def unit(x: torch.Tensor) -> torch.Tensor:
        return x.float() / x.float().norm(dim=-1, keepdim=True)

    def of_text(lines: list[str]) -> torch.Tensor:
        return unit(net.encode_text(tokenizer(lines).to(place)))

    with torch.inference_mode():
        prompts = {level: [TEMPLATE.replace("{}", word) for word in words] for level, words in options.items()}
        texts = {
            level: torch.cat([of_text(lines[i : i + 64]) for i in range(0, len(lines), 64)])
            for level, lines in prompts.items()
        }

    @torch.inference_mode()
    def probabilities(pictures: Sequence[np.ndarray]) -> Mapping[str, np.ndarray]:
        batch = torch.stack([preprocess(Image.fromarray(picture)) for picture in pictures])
        seen = unit(net.encode_image(batch.to(place)))
        scale = net.logit_scale.exp()
        return {level: (scale * seen @ text.T).softmax(-1).cpu().numpy() for level, text in texts.items()}

    title = "the share of questions to which CLIP chooses the word that it chooses on the original"
    return Choices(title, options, probabilities, {"model": model, "weights": tag})
