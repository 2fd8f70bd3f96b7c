"""Fine-tuning, evaluation and export of the classifier: the only block that imports torch and transformers."""
