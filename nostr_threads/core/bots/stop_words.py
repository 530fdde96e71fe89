"""Words that nearly every question has, and that say nothing of what it is about.

Knows them in a few languages. Words of other languages count as any other.
"""

from __future__ import annotations

import re

__all__ = ["STOP_WORDS", "TOPIC"]

TOPIC = frozenset(("nostr",))
"""What everybody here talks about: it says something of a question that has nothing else."""

# As they are once case, accents and what follows an apostrophe are gone.
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about actually after all also am an and another any anybody anyone are as ask at be
        because been being but by can cannot cant could couldnt did didn do does doesn doing don
        dont each else even ever every exactly explain for from get getting give go good got had
        has hasn have having he hello help her here hers hey hi him his how i id if ill im in into
        is isn it its ive just kindly know let like lot make may maybe me mean means might mine
        more most much must my need no not now of off ok okay on one only or other our ours out
        over please question really same say shall she should shouldn show so some somebody
        someone something such sure tell than thank thanks that the their theirs them then there
        these they thing things this those to too understand up us use used using very want was
        wasn way we well were weren what when where whether which while who whom whose why will
        with within without won work working works would wouldn yeah yes yet you your yours

        aber alle als also am an auch auf aus bei bin bis bist bitte da damit dann das dass dein
        dem den denn der des die dies diese dir doch du durch ein eine einem einen einer eines er
        es etwas euch fur gibt habe haben hallo hat hier ich ihr im in ist ja jemand kann kannst
        konnen man mehr mein meine meinen meiner mich mir mit muss nach nicht noch nur ob oder
        schon sein sich sie sind so soll uber um und uns vom von vor war was wenn wer werden wie
        wir wird wo wozu zu zum zur

        al algo como con cual cuando de del donde el ella en es esta este esto estoy ha hay hola
        la las le lo los mas me mi muy no nos o para pero por porque puede puedo que quien se ser
        si sin sobre soy su sus te tengo tiene tu un una uno y ya yo

        ai alors au aux avec bonjour c ce cela ces cette comment d dans de des donc du elle en est
        et etre eu faire fait faut il ils j je l la le les leur lui m ma mais me mes moi mon n ne
        nous on ou par pas peut peux plus pour pourquoi qu quand que quel quelle qui s sa sans se
        ses si son sont suis sur t ta te tu un une vous
        """,
    )
)
